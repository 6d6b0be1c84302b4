"""Pages of the welfare app for those who are paid."""
