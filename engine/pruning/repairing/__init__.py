"""What a cut network is given back, without training and with some."""
