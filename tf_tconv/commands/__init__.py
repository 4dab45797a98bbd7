"""The bodies of the commands that `tf_tconv.cli` registers, one module a command."""
