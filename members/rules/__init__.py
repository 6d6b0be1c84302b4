"""What a sheet of people may say, row by row: values in, values and faults out."""
