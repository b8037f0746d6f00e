"""Circuits of logic gates: their symbols, their layout, their picture."""
