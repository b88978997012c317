"""The services of Slipway, one package each; none imports another."""
