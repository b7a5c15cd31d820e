"""The parts of ``bench/verify_api.py``: each measures one bar on the running product."""
