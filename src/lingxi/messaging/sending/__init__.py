"""The sender: takes what is due, checks it, commits that it is being sent, delivers, and notes."""
