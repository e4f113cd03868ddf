package state

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
)

const (
	// eventsMax is more than a history has, so that no watch waits for its reader.
	eventsMax = 1024
	patience  = 20 * time.Second
)

// watch is a watch of a history: of one resource, or of the kind.
type watch struct {
	id         string // empty: the kind
	query      query
	aggregated bool
	events     chan []state.Event
	single     chan state.Event
	seen       []state.Event
	isPlain    bool // neither from a bookmark nor from the tail
}

func (w *watch) name() string {
	switch {
	case w.id != "":
		return "watch of " + w.id
	case w.aggregated:
		return "aggregated watch of " + w.query.name
	default:
		return "watch of " + w.query.name
	}
}

// beginning is where a watch begins.
type beginning struct {
	contents, bookmark bool
	tail               int
	from               state.Bookmark
}

func (b beginning) String() string {
	return fmt.Sprintf("contents %t, bookmark %t, tail %d, from a bookmark %t", b.contents, b.bookmark, b.tail, b.from != nil)
}

// begin returns when the watch is in effect.
func (w *watch) begin(ctx context.Context, s *scene, at beginning) error {
	w.isPlain = at.tail == 0 && at.from == nil
	w.single = make(chan state.Event, eventsMax)
	w.events = make(chan []state.Event, eventsMax)

	if w.id != "" {
		options := []state.WatchOption{}
		if at.tail > 0 {
			options = append(options, state.WithTailEvents(at.tail))
		}

		if at.from != nil {
			options = append(options, state.WithStartFromBookmark(at.from))
		}

		return s.state.Watch(ctx, newNote(s.namespace, w.id, "").md, w.single, options...)
	}

	options := []state.WatchKindOption{
		state.WithBootstrapContents(at.contents), state.WithBootstrapBookmark(at.bookmark),
	}
	if at.tail > 0 {
		options = append(options, state.WithKindTailEvents(at.tail))
	}

	if at.from != nil {
		options = append(options, state.WithKindStartFromBookmark(at.from))
	}

	for _, labels := range w.query.labels {
		options = append(options, state.WatchWithLabelQuery(labels...))
	}

	if w.query.id != nil {
		options = append(options, state.WatchWithIDQuery(resource.IDRegexpMatch(w.query.id)))
	}

	if w.aggregated {
		return s.state.WatchKindAggregated(ctx, newNote(s.namespace, "", "").md, w.events, options...)
	}

	return s.state.WatchKind(ctx, newNote(s.namespace, "", "").md, w.single, options...)
}

// read takes events until one has the annotation that ends it.
func (w *watch) read(ctx context.Context) []string {
	lines := []string{}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()

	for {
		var batch []state.Event

		select {
		case batch = <-w.events:
		case event := <-w.single:
			batch = []state.Event{event}
		case <-ctx.Done():
			return append(lines, ctx.Err().Error())
		case <-deadline.C:
			return append(lines, "nothing for "+patience.String())
		}

		for _, event := range batch {
			w.seen = append(w.seen, event)
			lines = append(lines, line(event, event.Bookmark != nil && !w.isState(len(w.seen)-1)))

			if event.Type == state.Errored {
				return lines
			}

			if event.Type == state.Created {
				if _, isEnd := event.Resource.Metadata().Annotations().Get("end"); isEnd {
					return lines
				}
			}
		}
	}
}

// marked gives the bookmarks that something follows: not that of the end.
func (w *watch) marked() []state.Bookmark {
	marked := []state.Bookmark{}

	for i, event := range w.seen[:max(len(w.seen)-1, 0)] {
		if event.Bookmark != nil && !w.isState(i) {
			marked = append(marked, event.Bookmark)
		}
	}

	return marked
}

// isState tells whether an event is the state that a watch of one resource begins with. It has no
// bookmark in a memory store of COSI's, and one in its others and in all of ours.
func (w *watch) isState(event int) bool { return w.id != "" && event == 0 && w.isPlain }

// line is all of an event that two servers have to agree on.
func line(event state.Event, hasBookmark bool) string {
	if event.Type == state.Errored {
		return "Errored"
	}

	text := fmt.Sprintf("%s %s, bookmark %t", event.Type, told(event.Resource), hasBookmark)

	if event.Old != nil {
		kept := event.Old.Metadata().Created().Equal(event.Resource.Metadata().Created())
		text += fmt.Sprintf(", was %s, created as before: %t", told(event.Old), kept)
	}

	return text
}

func beginWatch(r *rand.Rand) step {
	drawn := watch{aggregated: r.IntN(2) == 0, query: pick(r, queries)}
	at := beginning{contents: r.IntN(2) == 0, bookmark: r.IntN(2) == 0}

	if r.IntN(3) == 0 {
		drawn = watch{id: pick(r, ids)}
		at = beginning{}
	}

	if r.IntN(4) == 0 {
		at = beginning{tail: 1 + r.IntN(12), bookmark: at.bookmark}
	}

	return step{fmt.Sprintf("begin %s: %s", drawn.name(), at), func(ctx context.Context, s *scene) string {
		w := drawn
		s.watches = append(s.watches, &w)

		return outcome(w.begin(ctx, s, at))
	}}
}

// ending leaves events that each watch can end at, reads all watches, and follows some of them again:
// from a bookmark that they gave, and from the tail of the history.
func ending(r *rand.Rand) []step {
	steps := []step{{"end", end}}

	for range 2 {
		which, at, tail, aggregated := r.IntN(1<<16), r.IntN(1<<16), 1+r.IntN(30), r.IntN(2) == 0

		steps = append(steps,
			step{"again from a bookmark", func(ctx context.Context, s *scene) string {
				first := s.watches[which%len(s.watches)]
				again := &watch{id: first.id, query: first.query, aggregated: aggregated && first.id == ""}

				marked := first.marked()
				if len(marked) == 0 {
					return "no bookmark"
				}

				if err := again.begin(ctx, s, beginning{from: marked[at%len(marked)]}); err != nil {
					return outcome(err)
				}

				return joined(again.read(ctx))
			}},
			step{"again from the tail", func(ctx context.Context, s *scene) string {
				first := s.watches[which%len(s.watches)]
				again := &watch{id: first.id, query: first.query, aggregated: aggregated && first.id == ""}

				// More than comes after the end of any watch, so that its end is among them.
				if err := again.begin(ctx, s, beginning{tail: tail + 2*len(s.watches) + len(ids)}); err != nil {
					return outcome(err)
				}

				return joined(again.read(ctx))
			}})
	}

	return steps
}

func end(ctx context.Context, s *scene) string {
	for _, id := range ids {
		if err := replace(ctx, s, id); err != nil {
			return outcome(err)
		}
	}

	for i, w := range s.watches {
		last := newNote(s.namespace, fmt.Sprint("end-", i), "")
		last.md.Annotations().Set("end", "")

		for key, value := range w.query.passes {
			last.md.Labels().Set(key, value)
		}

		if err := s.state.Create(ctx, last); err != nil {
			return outcome(err)
		}
	}

	lines := []string{}
	for _, w := range s.watches {
		lines = append(lines, w.name())
		lines = append(lines, w.read(ctx)...)
	}

	return joined(lines)
}

// replace destroys a resource, whatever holds it, and makes another that ends the watches of it.
func replace(ctx context.Context, s *scene, id string) error {
	last := newNote(s.namespace, id, "")
	found, err := s.state.Get(ctx, last.md)

	if err == nil {
		owner := found.Metadata().Owner()
		_, err = s.state.UpdateWithConflicts(ctx, last.md, func(res resource.Resource) error {
			*res.Metadata().Finalizers() = nil

			return nil
		}, state.WithUpdateOwner(owner), state.WithExpectedPhaseAny())

		if err == nil {
			err = s.state.Destroy(ctx, last.md, state.WithDestroyOwner(owner))
		}
	} else if state.IsNotFoundError(err) {
		err = nil
	}

	if err != nil {
		return err
	}

	last.md.Annotations().Set("end", "")

	return s.state.Create(ctx, last)
}
