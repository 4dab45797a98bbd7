"""What subjects are known to do otherwise: a ledger each, and how it is read."""
