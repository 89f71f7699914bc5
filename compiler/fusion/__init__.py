"""What fusion and the kernels of fused instructions share: where an element of a value comes from."""
