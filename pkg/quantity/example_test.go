package quantity_test

import (
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A row of the table says how a quantity is published.
func ExampleID_Row() {
	row := quantity.ImportEnergy.Row()
	fmt.Println(row.Name, row.Title, row.Units[0].Symbol, row.Decimals, row.StateClass)
	// Output:
	// import_energy Import energy kWh 3 total_increasing
}

// ByCode finds the quantity of an OBIS code. It finds none for the value of a past billing period.
func ExampleByCode() {
	fmt.Println(quantity.ByCode(obis.MustCode("1-0:32.7.0")))
	_, ok := quantity.ByCode(obis.MustCode("1-0:1.8.0*01"))
	fmt.Println(ok)
	// Output:
	// voltage_l1 true
	// false
}

// AppendSamples converts the records of one telegram to samples in the published units, and appends derived values such as the net power.
func ExampleConverter() {
	records := []obis.Record{
		{Code: obis.MustCode("1-0:1.7.0"), Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt},
		{Code: obis.MustCode("1-0:2.7.0"), Kind: obis.Number, Value: obis.Decimal{Coef: 1000}, Unit: obis.Watt},
		{Code: obis.MustCode("1-0:1.8.0"), Kind: obis.Number, Value: obis.Decimal{Coef: 6619795}, Unit: obis.WattHour},
	}
	var c quantity.Converter
	for _, s := range c.AppendSamples(nil, records, nil) {
		fmt.Println(s.ID, string(s.Value.AppendFixed(nil, s.Decimals())), s.Unit().Symbol)
	}
	// Output:
	// import_power 345 W
	// export_power 1000 W
	// import_energy 6619.795 kWh
	// net_power -655 W
}
