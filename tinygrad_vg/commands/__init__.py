"""What the commands of the command line do; `tinygrad_vg.cli` says how they are called."""
