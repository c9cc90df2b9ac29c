package main

import (
	"sort"

	"github.com/anishathalye/porcupine"
)

// Times in milliseconds of one clock. The log is an object that grows by appends and is read whole at the end, as elle's
// lists are; that read gives the order of all appends, so that porcupine has little to search.
type recordHistory struct {
	Sent []*sentRecord `json:"sent"`
	// Offsets of each key, ascending.
	Found map[string][]float64 `json:"found"`
}

type sentRecord struct {
	Key          string  `json:"key"`
	SentAtMs     float64 `json:"sentAtMs"`
	Acknowledged *struct {
		AtMs   float64 `json:"atMs"`
		Offset float64 `json:"offset"`
		Term   string  `json:"term"`
	} `json:"acknowledged"`
}

type recordVerdict struct {
	// All that was promised together; what nobody promised is taken out of the log first.
	Linearizable bool `json:"linearizable"`
	Lost         int  `json:"lost"`
	Duplicated   int  `json:"duplicated"`
	// Records in front of one that was acknowledged before they were sent.
	Reordered int `json:"reordered"`
	// Acknowledged under an offset of another record of the same term: of those that are not in the log nothing is promised.
	RepeatedOffsets int `json:"repeatedOffsets"`
	Unpromised      int `json:"unpromised"`
}

func judgeRecords(given recordHistory) recordVerdict {
	var verdict recordVerdict
	var promised, once []*sentRecord
	repeated := repeatedOffsets(given)
	for _, each := range given.Sent {
		switch places := len(given.Found[each.Key]); {
		case each.Acknowledged == nil:
		case repeated[each] && places == 0:
			verdict.Unpromised++
		default:
			promised = append(promised, each)
			if places == 1 {
				once = append(once, each)
			}
		}
	}
	verdict.RepeatedOffsets = len(repeated)
	verdict.Linearizable = isLogOf(promised, given.Found)
	for _, each := range promised {
		if isLogOf([]*sentRecord{each}, given.Found) {
			continue
		}
		if len(given.Found[each.Key]) == 0 {
			verdict.Lost++
		} else {
			verdict.Duplicated++
		}
	}
	for _, each := range once {
		if standsTooEarly(each, promised, given.Found) {
			verdict.Reordered++
		}
	}
	return verdict
}

func standsTooEarly(record *sentRecord, promised []*sentRecord, found map[string][]float64) bool {
	for _, other := range promised {
		if other.Acknowledged.AtMs >= record.SentAtMs || len(found[other.Key]) == 0 {
			continue
		}
		// The first place of one that is there twice.
		first := map[string][]float64{record.Key: found[record.Key], other.Key: found[other.Key][:1]}
		if !isLogOf([]*sentRecord{record, other}, first) {
			return true
		}
	}
	return false
}

// Whether appends of these records explain what the log has of them.
func isLogOf(records []*sentRecord, found map[string][]float64) bool {
	type place struct {
		key    string
		offset float64
	}
	var places []place
	operations := []operation{{readAll{}, nil, end, end}}
	for _, each := range records {
		for _, offset := range found[each.Key] {
			places = append(places, place{each.Key, offset})
		}
		operations = append(operations, operation{each.Key, nil, each.SentAtMs, each.Acknowledged.AtMs})
	}
	sort.Slice(places, func(i, j int) bool { return places[i].offset < places[j].offset })
	// The state is how much of the log has been written.
	return isLinearizable(porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			written := state.(int)
			if _, isRead := input.(readAll); isRead {
				return written == len(places), state
			}
			return written < len(places) && places[written].key == input, written + 1
		},
	}, operations)
}

type readAll struct{}

// Of those with one offset in one term all but the one that the log has there, else the one that was acknowledged first.
func repeatedOffsets(given recordHistory) map[*sentRecord]bool {
	type place struct {
		term   string
		offset float64
	}
	claims := map[place][]*sentRecord{}
	for _, each := range given.Sent {
		if each.Acknowledged != nil {
			at := place{each.Acknowledged.Term, each.Acknowledged.Offset}
			claims[at] = append(claims[at], each)
		}
	}
	repeated := map[*sentRecord]bool{}
	for at, claimants := range claims {
		sort.SliceStable(claimants, func(i, j int) bool {
			return claimants[i].Acknowledged.AtMs < claimants[j].Acknowledged.AtMs
		})
		owner := claimants[0]
		for _, each := range claimants {
			if has(given.Found[each.Key], at.offset) {
				owner = each
				break
			}
		}
		for _, each := range claimants {
			if each != owner {
				repeated[each] = true
			}
		}
	}
	return repeated
}

func has(offsets []float64, offset float64) bool {
	for _, each := range offsets {
		if each == offset {
			return true
		}
	}
	return false
}
