"""The folder that ``nnUNet_extTrainer`` names; nnU-Net imports what is in it, this library does not."""
