"""The embedded deployment: PostgreSQL, Valkey and the product's processes on one machine.

>>> python -m config.embedded run                  # all of it, in the foreground
>>> python -m config.embedded exec -- COMMAND ...  # a command with the servers within reach

Settings read `config.embedded.state`. Commands use what `config.embedded.attachment` exports
(`attached`) and `state.is_running`. Tests use `config.embedded.servers.Servers`. Nothing is
imported here, so that settings stay quick to load.
"""
