"""What lowerings share."""
