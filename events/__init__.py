"""Who meets: fairs, trainings, stations."""
