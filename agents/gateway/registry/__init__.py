"""Who is connected here, who owns which agent, and what each of them should run."""
