"""The functions of `rgrad.nn.functional` that have to look at their arguments in Python, a family in a module."""
