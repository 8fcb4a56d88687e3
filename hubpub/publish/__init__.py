"""Actions: plan a release, publish it in one commit, verify it, tag it."""
