"""Settings of the compiler, which programs set."""

cache_size_limit = 8
capture_scalar_outputs = False
recompile_limit = 8
suppress_errors = False
verbose = False
