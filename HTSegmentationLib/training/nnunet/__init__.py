"""Training by nnU-Net's own commands: the data set that it reads, the folds, and the losses that it does not have."""
