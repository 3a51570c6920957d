"""What tests are made of: people, agents, configs, rollouts, and waiting. The least, nothing unasked."""
