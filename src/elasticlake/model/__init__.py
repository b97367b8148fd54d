"""The domain's values and rules: pure, frozen, standard library only."""
