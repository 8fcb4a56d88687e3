"""What every room shares: findings, rules, reports, errors and settings."""
