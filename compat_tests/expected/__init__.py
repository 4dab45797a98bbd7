"""What subjects are known to do differently: a ledger for each, and how it is read."""
