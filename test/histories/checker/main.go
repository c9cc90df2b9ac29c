// Judges histories of probes a second time, by porcupine's search for an order of the operations that explains what was read.
// It shares no code and no idea with functions/domain/{value,record}-account.ts: those compare times, this one looks for orders.
//
// Reads one history a line as JSON, writes one verdict a line. Ends with an error, and without a verdict, where porcupine does
// not know.
package main

import (
	"encoding/json"
	"log"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// Of one search. Histories of the suite take milliseconds.
const searchTimeout = 30 * time.Second

type history struct {
	Values  *valueHistory  `json:"values"`
	Records *recordHistory `json:"records"`
}

func main() {
	log.SetFlags(0)
	verdicts := json.NewEncoder(os.Stdout)
	for decoder := json.NewDecoder(os.Stdin); decoder.More(); {
		var given history
		if err := decoder.Decode(&given); err != nil {
			log.Fatalf("a history: %v", err)
		}
		var verdict any
		switch {
		case given.Values != nil:
			verdict = judgeValues(*given.Values)
		case given.Records != nil:
			verdict = judgeRecords(*given.Records)
		default:
			log.Fatal("a history: neither of values nor of records")
		}
		if err := verdicts.Encode(verdict); err != nil {
			log.Fatal(err)
		}
	}
}

// An operation with its times in milliseconds of one clock; it returns at +Inf where nobody knows when.
type operation struct {
	input, output any
	call, ret     float64
}

// isLinearizable says whether some order of the operations, each between its call and its return, explains all outputs.
// Porcupine takes whole numbers: only the order of the times counts. Equal times overlap.
func isLinearizable(model porcupine.Model, operations []operation) bool {
	var times []float64
	for _, each := range operations {
		times = append(times, each.call, each.ret)
	}
	sort.Float64s(times)
	rank := func(at float64) int64 { return int64(sort.SearchFloat64s(times, at)) }
	ranked := make([]porcupine.Operation, len(operations))
	for i, each := range operations {
		ranked[i] = porcupine.Operation{
			ClientId: i, Input: each.input, Output: each.output, Call: rank(each.call), Return: rank(each.ret),
		}
	}
	switch porcupine.CheckOperationsTimeout(model, ranked, searchTimeout) {
	case porcupine.Ok:
		return true
	case porcupine.Illegal:
		return false
	}
	log.Fatalf("porcupine found nothing within %v", searchTimeout)
	return false
}

// After all that was acknowledged, and before what nobody has seen the end of.
const end = math.MaxFloat64

var never = math.Inf(1)

func orNever(at *float64) float64 {
	if at == nil {
		return never
	}
	return *at
}
