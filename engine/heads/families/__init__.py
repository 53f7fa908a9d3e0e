"""What several metrics share: outputs without a head, gradients, maps, outputs of heads."""
