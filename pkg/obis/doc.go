// Package obis holds what every meter telegram is made of, whatever its framing: codes that say what was measured
// (IEC 62056-61), exact decimal numbers, units (IEC 62056-6-2, table 4), wall-clock times, and the Record that joins them.
//
// Nothing here uses floating point: a number is the same from the wire to the edge of the program.
package obis
