package main

import (
	"context"
	"runtime"
	"time"

	controllers "github.com/cosi-project/runtime/pkg/controller/runtime"

	"github.com/cosi-project/runtime/pkg/controller"
	"github.com/cosi-project/runtime/pkg/controller/generic/qtransform"
	"github.com/cosi-project/runtime/pkg/controller/runtime/options"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
	"go.uber.org/zap"
)

const concurrency = 2

// fillBatch keeps the queue of the controller short while items are made for it.
const fillBatch = 500

// copyController makes a copy of every note.
func copyController() controller.QController {
	return qtransform.NewQController(
		qtransform.Settings[*Note, *Copy]{
			Name:              "bench.CopyController",
			MapMetadataFunc:   func(note *Note) *Copy { return newCopy(note.Metadata().ID()) },
			UnmapMetadataFunc: func(made *Copy) *Note { return newNote(namespace, made.Metadata().ID(), NoteSpec{}) },
			TransformFunc: func(_ context.Context, _ controller.Reader, _ *zap.Logger, note *Note, made *Copy) error {
				*made.TypedSpec() = note.TypedSpec().DeepCopy()

				return nil
			},
		},
		qtransform.WithConcurrency(concurrency),
	)
}

// running is a store with a watch of what the controller makes, and the runtime that runs it.
type running struct {
	state  state.State
	copies chan []state.Event
	engine *controllers.Runtime
	ended  chan error
	cancel context.CancelFunc
	//nolint:containedctx
	ctx context.Context
}

func prepare(ctx context.Context) (*running, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{
		state:  openRaised(),
		copies: make(chan []state.Event, watchBuffer),
		ended:  make(chan error, 1),
		cancel: cancel,
		ctx:    ctx,
	}

	var err error

	if r.engine, err = controllers.NewRuntime(r.state, zap.NewNop(), options.WithMetrics(false)); err != nil {
		return nil, err
	}

	if err = r.engine.RegisterQController(copyController()); err != nil {
		return nil, err
	}

	kind := resource.NewMetadata(namespace, copyType, "", resource.VersionUndefined)

	return r, r.state.WatchKindAggregated(ctx, kind, r.copies)
}

func (r *running) run() { go func() { r.ended <- r.engine.Run(r.ctx) }() }

// runEmpty returns once the controller is known to run: its first copy is there.
func (r *running) runEmpty() error {
	r.run()

	if err := r.state.Create(r.ctx, newNote(namespace, "first", noteSpec(0))); err != nil {
		return err
	}

	return r.await(r.ctx, state.Created, 1)
}

func (r *running) stop() {
	r.cancel()
	<-r.ended
}

// await returns when so many copies were created or updated.
func (r *running) await(ctx context.Context, kind state.EventType, count int) error {
	for count > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case batch := <-r.copies:
			for _, event := range batch {
				if event.Type == state.Errored {
					return event.Error
				}

				if event.Type == kind {
					count--
				}
			}
		}
	}

	return nil
}

// burst creates notes one after another while the controller runs, and ends when all have a copy.
func burst(ctx context.Context, size Size) (float64, error) {
	return twice(ctx, size, func(r *running, specs []NoteSpec) (time.Duration, error) {
		if err := r.runEmpty(); err != nil {
			return 0, err
		}

		runtime.GC()

		begin := time.Now()
		created := make(chan error, 1)

		go func() { created <- r.createAll(specs) }()

		if err := r.await(ctx, state.Created, len(specs)); err != nil {
			return 0, err
		}

		return time.Since(begin), <-created
	})
}

// burstAtStart starts the controller on notes that are there, and ends when all have a copy.
func burstAtStart(ctx context.Context, size Size) (float64, error) {
	return twice(ctx, size, func(r *running, specs []NoteSpec) (time.Duration, error) {
		if err := r.createAll(specs); err != nil {
			return 0, err
		}

		runtime.GC()

		begin := time.Now()

		r.run()

		err := r.await(ctx, state.Created, len(specs))

		return time.Since(begin), err
	})
}

// twice runs a burst to warm up, and another one to measure.
func twice(ctx context.Context, size Size, one func(*running, []NoteSpec) (time.Duration, error)) (float64, error) {
	var elapsed time.Duration

	for _, count := range []int{size.Warmup, size.Count} {
		r, err := prepare(ctx)
		if err != nil {
			return 0, err
		}

		if elapsed, err = one(r, noteSpecs(count)); err != nil {
			return 0, err
		}

		r.stop()
	}

	return rate(size.Count, elapsed), nil
}

func (r *running) createAll(specs []NoteSpec) error {
	return each(1, len(specs), func(i int) error {
		return r.state.Create(r.ctx, newNote(namespace, noteID(i), specs[i]))
	})
}

// singleUpdate changes one note after another and waits each time for its copy.
func singleUpdate(ctx context.Context, size Size) (float64, error) {
	r, err := prepare(ctx)
	if err != nil {
		return 0, err
	}
	defer r.stop()

	if err = r.runEmpty(); err != nil {
		return 0, err
	}

	for first := 0; first < size.Items; first += fillBatch {
		count := min(fillBatch, size.Items-first)

		for i := first; i < first+count; i++ {
			if err = r.state.Create(ctx, newNote(namespace, noteID(i), noteSpec(i))); err != nil {
				return 0, err
			}
		}

		if err = r.await(ctx, state.Created, count); err != nil {
			return 0, err
		}
	}

	var begin time.Time

	for n := -size.Warmup; n < size.Count; n++ {
		if n == 0 {
			runtime.GC()

			begin = time.Now()
		}

		if err = touch(ctx, r.state, namespace, scattered(n+size.Warmup, size.Items)); err != nil {
			return 0, err
		}

		if err = r.await(ctx, state.Updated, 1); err != nil {
			return 0, err
		}
	}

	return rate(size.Count, time.Since(begin)), nil
}
