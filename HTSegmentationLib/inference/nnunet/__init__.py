"""Models that nnU-Net trained, run by nnU-Net's own predictor, so that the masks are those of nnUNetv2_predict."""
