"""Tables of cases: NumPy and the standard library only, no framework and nothing judged.

`case` and `illegal` say what a case is, `inputs` what it is computed on, `registry` which families
there are; every other file is one family.
"""
