"""What commands are given as MODEL: graphs in files, functions that build graphs, bundles; their inputs and outputs."""
