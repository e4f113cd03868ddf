package state

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
	"google.golang.org/grpc"
)

// limit is how long a client may take to come back: it waits about half a second, then longer.
const limit = 30 * time.Second

// TestWatchesSurviveRestarts ends a server on SQLite twice, once by force, under watches of each form.
// Each goes on where it was: no event is missing, none comes twice.
func TestWatchesSurviveRestarts(t *testing.T) {
	ctx := within(t, 2*limit)
	server := serve(t, stores(t)["sqlite"])
	remote := remote(t, server.socket, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	kind := newNote("default", "", "").md

	if err := remote.Create(ctx, newNote("default", "a", "before")); err != nil {
		t.Fatal(err)
	}

	single, all, aggregated := make(chan state.Event), make(chan state.Event), make(chan []state.Event)

	if err := remote.Watch(ctx, newNote("default", "a", "").md, single); err != nil {
		t.Fatal(err)
	}

	if err := remote.WatchKind(ctx, kind, all, state.WithBootstrapContents(true)); err != nil {
		t.Fatal(err)
	}

	if err := remote.WatchKindAggregated(ctx, kind, aggregated, state.WithBootstrapBookmark(true)); err != nil {
		t.Fatal(err)
	}

	go func() {
		for round, signal := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGKILL, 0} {
			if signal != 0 {
				server.end(t, signal)
				server.start(t)
			}

			if err := remote.Create(ctx, newNote("default", fmt.Sprint("b", round), "")); err != nil {
				t.Error(err)
			}

			if _, err := remote.UpdateWithConflicts(ctx, newNote("default", "a", "").md, func(res resource.Resource) error {
				res.(*note).spec.Text = fmt.Sprint("round ", round) //nolint:forcetypeassert

				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}()

	changes := []string{
		"Created b0@1", "Updated a@2", "Created b1@1", "Updated a@3", "Created b2@1", "Updated a@4", "Created b3@1", "Updated a@5",
	}

	batches := func() []state.Event {
		select {
		case events := <-aggregated:
			return events
		case <-ctx.Done():
			return nil
		}
	}
	one := func(from chan state.Event) func() []state.Event {
		return func() []state.Event {
			select {
			case event := <-from:
				return []state.Event{event}
			case <-ctx.Done():
				return nil
			}
		}
	}

	see(t, "a", []string{"Created a@1", "Updated a@2", "Updated a@3", "Updated a@4", "Updated a@5"}, one(single))
	see(t, "all", append([]string{"Created a@1", "Bootstrapped @undefined"}, changes...), one(all))
	see(t, "aggregated", append([]string{"Noop @undefined"}, changes...), batches)
}

// TestWatchesOfWhatIsForgottenEnd restarts a server whose store is gone with it.
func TestWatchesOfWhatIsForgottenEnd(t *testing.T) {
	ctx := within(t, limit)
	server := serve(t, "memory")
	remote := remote(t, server.socket, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	events := make(chan state.Event)

	if err := remote.WatchKind(ctx, newNote("default", "", "").md, events, state.WithBootstrapBookmark(true)); err != nil {
		t.Fatal(err)
	}

	if event := <-events; event.Type != state.Noop {
		t.Fatalf("it began with %s", event.Type)
	}

	server.end(t, syscall.SIGKILL)
	server.start(t)

	select {
	case event := <-events:
		if event.Type != state.Errored || !state.IsInvalidWatchBookmarkError(event.Error) {
			t.Errorf("it ended with %s, %v", event.Type, event.Error)
		}
	case <-ctx.Done():
		t.Error("it did not end")
	}
}

// see reads as many events as are expected, and compares.
func see(t *testing.T, name string, want []string, next func() []state.Event) {
	t.Helper()

	seen := []string{}

	for len(seen) < len(want) {
		events := next()
		if events == nil {
			break
		}

		for _, event := range events {
			if event.Type == state.Errored {
				t.Errorf("%s: %v", name, event.Error)

				return
			}

			seen = append(seen, fmt.Sprintf("%s %s@%s", event.Type, event.Resource.Metadata().ID(), event.Resource.Metadata().Version()))
		}
	}

	if !slices.Equal(seen, want) {
		t.Errorf("the watch of %s told of %v, want %v", name, seen, want)
	}
}
