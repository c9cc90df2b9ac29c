package main

import (
	"math"

	"github.com/anishathalye/porcupine"
)

// Times in milliseconds of one clock; null for a value: none, or a removal.
type valueHistory struct {
	Sent []*sentValue       `json:"sent"`
	Seen []seenValue        `json:"seen"`
	Last map[string]*string `json:"last"`
}

type sentValue struct {
	Key            string   `json:"key"`
	Value          *string  `json:"value"`
	SentAtMs       float64  `json:"sentAtMs"`
	AcknowledgedMs *float64 `json:"acknowledgedAtMs"`
	TimestampUs    *float64 `json:"timestampUs"`
}

type seenValue struct {
	Key         string  `json:"key"`
	Value       *string `json:"value"`
	StartedAtMs float64 `json:"startedAtMs"`
	EndedAtMs   float64 `json:"endedAtMs"`
}

type valueVerdict struct {
	// Keys whose last value no order of their writes explains.
	LostKeys int `json:"lostKeys"`
	// Acknowledged writes that no acknowledged one replaced and that cannot have come before the last read.
	Lost int `json:"lost"`
	// Of these: explained by a register that keeps the write with the latest timestamp.
	Overwritten int `json:"overwritten"`
	// Of the others: they had taken effect, and an earlier value is back.
	Resurrected int `json:"resurrected"`
	// Reads after an acknowledgement that no order of the writes of their key explains, each read by itself.
	StaleReads int `json:"staleReads"`
	// All reads of each key together.
	Linearizable bool `json:"linearizable"`
}

func judgeValues(given valueHistory) valueVerdict {
	writes, reads := map[string][]*sentValue{}, map[string][]seenValue{}
	for _, each := range given.Sent {
		writes[each.Key] = append(writes[each.Key], each)
	}
	for _, each := range given.Seen {
		reads[each.Key] = append(reads[each.Key], each)
	}
	verdict := valueVerdict{Linearizable: true}
	for key, own := range writes {
		last := finalRead(given.Last[key])
		if hasAcknowledged(own, never) && !isLinearizable(register, append(asWrites(own), last)) {
			verdict.LostKeys++
		}
		verdict.countLost(own, reads[key], given.Last[key])
		all := append(asWrites(own), last)
		for _, each := range reads[key] {
			read := operation{seen{each.Value}, nil, each.StartedAtMs, each.EndedAtMs}
			// Of a value from nowhere before anything was promised nothing is said.
			if hasAcknowledged(own, each.StartedAtMs) && !isLinearizable(register, append(asWrites(own), read)) {
				verdict.StaleReads++
			}
			all = append(all, read)
		}
		verdict.Linearizable = verdict.Linearizable && isLinearizable(register, all)
	}
	return verdict
}

func (verdict *valueVerdict) countLost(writes []*sentValue, reads []seenValue, last *string) {
	for _, write := range writes {
		if write.AcknowledgedMs == nil || isReplaced(write, writes) {
			continue
		}
		shown := []*sentValue{}
		for _, each := range writes {
			if each != write && same(each.Value, last) {
				shown = append(shown, each)
			}
		}
		if isLinearizable(register, append(asWrites(append(shown, write)), finalRead(last))) {
			continue
		}
		verdict.Lost++
		if write.TimestampUs != nil &&
			isLinearizable(latestTimestamp, append(asWrites(append(shown, write)), finalRead(last))) {
			verdict.Overwritten++
		} else if last != nil && len(shown) > 0 && hadEffect(write, reads) {
			verdict.Resurrected++
		}
	}
}

// Whether an acknowledged write of the key was sent after its acknowledgement.
func isReplaced(write *sentValue, writes []*sentValue) bool {
	for _, each := range writes {
		if each.AcknowledgedMs != nil && each.SentAtMs > *write.AcknowledgedMs {
			return true
		}
	}
	return false
}

// A removal that was acknowledged counts as one that took effect.
func hadEffect(write *sentValue, reads []seenValue) bool {
	for _, each := range reads {
		if same(each.Value, write.Value) {
			return true
		}
	}
	return write.Value == nil
}

func hasAcknowledged(writes []*sentValue, before float64) bool {
	for _, each := range writes {
		if each.AcknowledgedMs != nil && *each.AcknowledgedMs < before {
			return true
		}
	}
	return false
}

func same(one, other *string) bool {
	return (one == nil) == (other == nil) && (one == nil || *one == *other)
}

// What a write puts, and what a read has shown.
type put struct {
	value *string
	stamp float64
}
type seen struct{ value *string }

func asWrites(writes []*sentValue) []operation {
	operations := make([]operation, len(writes))
	for i, each := range writes {
		input := put{each.Value, math.NaN()}
		if each.TimestampUs != nil {
			input.stamp = *each.TimestampUs
		}
		operations[i] = operation{input, nil, each.SentAtMs, orNever(each.AcknowledgedMs)}
	}
	return operations
}

func finalRead(value *string) operation {
	return operation{seen{value}, nil, end, end}
}

// A key that keeps what was put last.
var register = porcupine.Model{
	Init: func() any { return put{} },
	Step: func(state, input, _ any) (bool, any) {
		if read, isRead := input.(seen); isRead {
			return same(read.value, state.(put).value), state
		}
		return true, input
	},
	Equal: func(one, other any) bool { return same(one.(put).value, other.(put).value) },
}

// A key that keeps what has the latest timestamp; of two with the same one, the first. No comparison holds for an unknown one.
var latestTimestamp = porcupine.Model{
	Init: func() any { return put{nil, math.Inf(-1)} },
	Step: func(state, input, _ any) (bool, any) {
		if read, isRead := input.(seen); isRead {
			return same(read.value, state.(put).value), state
		}
		if input.(put).stamp > state.(put).stamp {
			return true, input
		}
		return true, state
	},
	Equal: func(one, other any) bool {
		return same(one.(put).value, other.(put).value) && one.(put).stamp == other.(put).stamp
	},
}
