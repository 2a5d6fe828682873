package estimate

// Simulations returns how many days e has simulated.
func (e *Estimator) Simulations() int { return e.simulations }
