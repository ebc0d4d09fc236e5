"""Many cases at once: each is segmented, measured and compared, a failure costs one case, and a stopped run goes on."""
