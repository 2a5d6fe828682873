package quantity

// The quantities, in the order of the table. The comment after each is groups C.D.E of its OBIS codes. Import is energy from the grid,
// export is energy into the grid. L1 to L3 are phases, T1 to T4 tariffs, Q1 to Q4 quadrants of reactive power.
const (
	// Active power in W. Net is import minus export: it is negative while the house exports.
	ImportPower   ID = iota // 1.7.0
	ExportPower             // 2.7.0
	NetPower                // 16.7.0
	ImportPowerL1           // 21.7.0
	ImportPowerL2           // 41.7.0
	ImportPowerL3           // 61.7.0
	ExportPowerL1           // 22.7.0
	ExportPowerL2           // 42.7.0
	ExportPowerL3           // 62.7.0
	NetPowerL1              // 36.7.0
	NetPowerL2              // 56.7.0
	NetPowerL3              // 76.7.0

	// Reactive power in var, also by phase and by quadrant.
	ImportReactivePower   // 3.7.0
	ExportReactivePower   // 4.7.0
	ImportReactivePowerL1 // 23.7.0
	ImportReactivePowerL2 // 43.7.0
	ImportReactivePowerL3 // 63.7.0
	ExportReactivePowerL1 // 24.7.0
	ExportReactivePowerL2 // 44.7.0
	ExportReactivePowerL3 // 64.7.0
	ReactivePowerQ1       // 5.7.0
	ReactivePowerQ2       // 6.7.0
	ReactivePowerQ3       // 7.7.0
	ReactivePowerQ4       // 8.7.0

	// Apparent power in VA.
	ImportApparentPower   // 9.7.0
	ExportApparentPower   // 10.7.0
	ImportApparentPowerL1 // 29.7.0
	ImportApparentPowerL2 // 49.7.0
	ImportApparentPowerL3 // 69.7.0
	ExportApparentPowerL1 // 30.7.0
	ExportApparentPowerL2 // 50.7.0
	ExportApparentPowerL3 // 70.7.0

	// Voltage in V and current in A. CurrentN is the current in the neutral conductor.
	VoltageL1 // 32.7.0
	VoltageL2 // 52.7.0
	VoltageL3 // 72.7.0
	CurrentL1 // 31.7.0
	CurrentL2 // 51.7.0
	CurrentL3 // 71.7.0
	CurrentN  // 91.7.0

	// Power factor, a number without a unit from -1 to 1, and frequency in Hz.
	PowerFactor   // 13.7.0
	PowerFactorL1 // 33.7.0
	PowerFactorL2 // 53.7.0
	PowerFactorL3 // 73.7.0
	Frequency     // 14.7.0

	// Counters of active energy in kWh: in total, by tariff and by phase.
	ImportEnergy   // 1.8.0
	ExportEnergy   // 2.8.0
	ImportEnergyT1 // 1.8.1
	ImportEnergyT2 // 1.8.2
	ImportEnergyT3 // 1.8.3
	ImportEnergyT4 // 1.8.4
	ExportEnergyT1 // 2.8.1
	ExportEnergyT2 // 2.8.2
	ExportEnergyT3 // 2.8.3
	ExportEnergyT4 // 2.8.4
	ImportEnergyL1 // 21.8.0
	ImportEnergyL2 // 41.8.0
	ImportEnergyL3 // 61.8.0
	ExportEnergyL1 // 22.8.0
	ExportEnergyL2 // 42.8.0
	ExportEnergyL3 // 62.8.0

	// Counters of reactive energy in kvarh: in total, by tariff and by quadrant.
	ImportReactiveEnergy   // 3.8.0
	ExportReactiveEnergy   // 4.8.0
	ImportReactiveEnergyT1 // 3.8.1
	ImportReactiveEnergyT2 // 3.8.2
	ImportReactiveEnergyT3 // 3.8.3
	ImportReactiveEnergyT4 // 3.8.4
	ExportReactiveEnergyT1 // 4.8.1
	ExportReactiveEnergyT2 // 4.8.2
	ExportReactiveEnergyT3 // 4.8.3
	ExportReactiveEnergyT4 // 4.8.4
	ReactiveEnergyQ1       // 5.8.0
	ReactiveEnergyQ2       // 6.8.0
	ReactiveEnergyQ3       // 7.8.0
	ReactiveEnergyQ4       // 8.8.0

	// A counter in kWh that rises with import and with export.
	AbsoluteEnergy // 15.8.0

	// Mean active power in W of the current demand period, often a quarter of an hour, and the highest such mean of the month.
	ImportDemand    // 1.4.0, 1.24.0
	ExportDemand    // 2.4.0, 2.24.0
	MonthPeakDemand // 1.6.0

	// Counters of sub-meters: gas and water in m³, heat and cold in GJ or kWh. These rows have no code, because all sub-meters send the
	// same codes. The device type of the channel shows what the sub-meter measures.
	Gas
	Water
	ThermalEnergy
	CoolingEnergy

	// The current tariff, the state of the breaker, and a message of the grid company, as texts.
	Tariff      // 96.14.0
	Breaker     // 96.3.10, 96.50.68
	TextMessage // 96.13.0

	// Numbers of power failures, voltage sags and voltage swells.
	PowerFailures     // 96.7.21
	LongPowerFailures // 96.7.9
	VoltageSagsL1     // 32.32.0
	VoltageSagsL2     // 52.32.0
	VoltageSagsL3     // 72.32.0
	VoltageSwellsL1   // 32.36.0
	VoltageSwellsL2   // 52.36.0
	VoltageSwellsL3   // 72.36.0

	// Limits that the grid company has set: the current of the fuse in A, and the power limit in W or VA, which some meters
	// send as a current in A.
	FuseLimit  // 31.4.0
	PowerLimit // 17.0.0
)
