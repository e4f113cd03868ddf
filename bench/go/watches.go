package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
)

// watchBuffer lets a watch run ahead of the one who counts.
const watchBuffer = 128

// counting watches a kind and sends once when it saw so many events of a type.
func counting(ctx context.Context, st state.State, ns resource.Namespace, kind state.EventType, count int) (<-chan error, error) {
	events := make(chan state.Event, watchBuffer)
	if err := st.WatchKind(ctx, pointer(ns, ""), events, state.WithBootstrapContents(true)); err != nil {
		return nil, err
	}

	// The contents come first, and so the watch is known to be there.
	for {
		event, err := receive(ctx, events)
		if err != nil {
			return nil, err
		}

		if event.Type == state.Bootstrapped {
			break
		}
	}

	done := make(chan error, 1)

	go func() {
		for seen := 0; seen < count; {
			event, err := receive(ctx, events)
			if err != nil {
				done <- err

				return
			}

			if event.Type == kind {
				seen++
			}
		}

		done <- nil
	}()

	return done, nil
}

func receive(ctx context.Context, events <-chan state.Event) (state.Event, error) {
	select {
	case <-ctx.Done():
		return state.Event{}, ctx.Err()
	case event := <-events:
		if event.Type == state.Errored {
			return event, fmt.Errorf("the watch ended: %w", event.Error)
		}

		return event, nil
	}
}

func destroyWatched(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	if err := fill(ctx, st, ns, size, size.Count); err != nil {
		return 0, 0, err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	done, err := counting(ctx, st, ns, state.Destroyed, size.Count)
	if err != nil {
		return 0, 0, err
	}

	start := time.Now()
	err = each(size.InFlight, size.Count, func(i int) error {
		return st.Destroy(ctx, pointer(ns, noteID(scattered(i, size.Count))))
	})

	if err == nil {
		err = <-done
	}

	return size.Count, time.Since(start), err
}

// watchContents counts the events by which a watch tells what is there.
func watchContents(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	if err := fill(ctx, st, ns, size, size.Items); err != nil {
		return 0, 0, err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	delivered := 0
	start := time.Now()

	for range size.Count {
		events := make(chan state.Event, watchBuffer)

		watch, end := context.WithCancel(ctx)
		if err := st.WatchKind(watch, pointer(ns, ""), events, state.WithBootstrapContents(true)); err != nil {
			end()

			return 0, 0, err
		}

		for seen := 0; seen < size.Items; seen++ {
			if _, err := receive(ctx, events); err != nil {
				end()

				return 0, 0, err
			}
		}

		delivered += size.Items

		end()
	}

	return delivered, time.Since(start), nil
}

// watchLive counts the events of changes that reach several watchers while writers write.
func watchLive(ctx context.Context, st state.State, ns resource.Namespace, size Size) (int, time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	watchers := make([]<-chan error, size.Watchers)

	for i := range watchers {
		var err error
		if watchers[i], err = counting(ctx, st, ns, state.Created, size.Count); err != nil {
			return 0, 0, err
		}
	}

	start := time.Now()

	if _, _, err := create(ctx, st, ns, size); err != nil {
		return 0, 0, err
	}

	for _, done := range watchers {
		if err := <-done; err != nil {
			return 0, 0, err
		}
	}

	return size.Count * size.Watchers, time.Since(start), nil
}
