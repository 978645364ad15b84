"""The older name of `rgrad.hub.load_state_dict_from_url`."""

from rgrad.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
