"""`explain`: a derivative as the sum over paths of the products of local derivatives."""
