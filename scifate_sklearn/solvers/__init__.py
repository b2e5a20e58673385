"""From moments to coefficient paths, CV curves and selected models: two engines, one interface."""
