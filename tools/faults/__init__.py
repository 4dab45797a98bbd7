"""Small faults for `tools/plant_faults.py`: what they are, where they go, which test finds them."""
