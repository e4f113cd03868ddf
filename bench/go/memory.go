package main

import (
	"context"
	"runtime"
)

// memory tells how many bytes of the heap one resource of a store in memory takes.
func memory(ctx context.Context, size Size) (float64, error) {
	st := openMemory()
	before := heap()

	for i := range size.Count {
		if err := st.Create(ctx, newNote(namespace, noteID(i), noteSpec(i))); err != nil {
			return 0, err
		}
	}

	after := heap()

	runtime.KeepAlive(st)

	return float64(after-before) / float64(size.Count), nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()

	var stats runtime.MemStats

	runtime.ReadMemStats(&stats)

	return stats.HeapAlloc
}
