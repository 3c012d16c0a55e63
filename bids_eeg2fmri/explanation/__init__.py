"""Which electrodes, frequencies, lags and voxels a prediction rests on."""
