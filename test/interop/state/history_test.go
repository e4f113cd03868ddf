package state

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/state"
)

// step is one thing that is done to a state; it says how that came out.
type step struct {
	name string
	do   func(context.Context, *scene) string
}

// scene is where a history takes place: a namespace of its own.
type scene struct {
	state     state.State
	namespace string
	watches   []*watch
}

var (
	ids     = []string{"a", "b", "b/1", "ü"}
	owners  = []string{"", "", "", "keeper", "other"}
	keepers = []string{"x", "y"}
	sizes   = []string{"", "1", "20", "3k", "1Ki", "nine"}
	tiers   = []string{"", "back", "front"}
	phases  = []resource.Phase{resource.PhaseRunning, resource.PhaseTearingDown}
)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// kinds of steps, the frequent ones several times.
var kinds = []func(*rand.Rand) step{
	create, create, create, create,
	update, update, update,
	addFinalizer, addFinalizer, removeFinalizer, removeFinalizer,
	tearDown, tearDown, destroy, destroy, tearDownAndDestroy,
	modify, get, list, beginWatch, beginWatch,
}

// history makes the steps of a history; all chance is used up here, before anything is done.
func history(seed, number uint64) []step {
	r := rand.New(rand.NewPCG(seed, number))
	steps := []step{beginWatch(r)}

	for range 10 + r.IntN(20) {
		steps = append(steps, pick(r, kinds)(r))
	}

	return append(steps, ending(r)...)
}

// dress gives a resource labels, annotations and a text.
func dress(r *rand.Rand) func(resource.Resource) {
	tier, size, mark, text := pick(r, tiers), pick(r, sizes), r.IntN(4), r.IntN(3)

	return func(res resource.Resource) {
		for key, value := range map[string]string{"tier": tier, "size": size} {
			if value == "" {
				res.Metadata().Labels().Delete(key)
			} else {
				res.Metadata().Labels().Set(key, value)
			}
		}

		if mark == 0 {
			res.Metadata().Annotations().Set("mark", "m\n")
		}

		res.(*note).spec.Text = fmt.Sprint("text ", text) //nolint:forcetypeassert
	}
}

func create(r *rand.Rand) step {
	id, owner, undressed := pick(r, ids), pick(r, owners), dress(r)
	phase, finalizer, version := resource.PhaseRunning, r.IntN(5) == 0, resource.VersionUndefined

	if r.IntN(8) == 0 {
		phase = resource.PhaseTearingDown
	}

	if r.IntN(8) == 0 {
		version, _ = resource.ParseVersion("7") //nolint:errcheck
	}

	return step{fmt.Sprintf("create %s as %q", id, owner), func(ctx context.Context, s *scene) string {
		res := newNote(s.namespace, id, "")
		undressed(res)
		res.md.SetPhase(phase)
		res.md.SetVersion(version)

		if finalizer {
			res.md.Finalizers().Add("x")
		}

		err := s.state.Create(ctx, res, state.WithCreateOwner(owner))

		return outcome(err, res.md.Version(), res.md.Owner())
	}}
}

// update writes what was read, sometimes too late, to a phase that is not expected, or for another owner.
func update(r *rand.Rand) step {
	id, owner, dressed := pick(r, ids), pick(r, owners), dress(r)
	late, phase, claim := r.IntN(6) == 0, r.IntN(6), r.IntN(8) == 0
	expected := []state.UpdateOption{state.WithUpdateOwner(owner)}
	how := "running"

	switch r.IntN(4) {
	case 0:
		how = "any"
		expected = append(expected, state.WithExpectedPhaseAny())
	case 1:
		how = "tearing down"
		expected = append(expected, state.WithExpectedPhase(resource.PhaseTearingDown))
	}

	return step{fmt.Sprintf("update %s as %q, %s", id, owner, how), func(ctx context.Context, s *scene) string {
		found, err := s.state.Get(ctx, newNote(s.namespace, id, "").md)
		if err != nil {
			found = newNote(s.namespace, id, "") // to hear that it is not there
		}

		dressed(found)

		if late {
			found.Metadata().SetVersion(found.Metadata().Version().Next())
		}

		if phase < len(phases) {
			found.Metadata().SetPhase(phases[phase])
		}

		if claim && found.Metadata().Owner() == "" {
			err = found.Metadata().SetOwner("keeper")
		}

		if err != nil && !state.IsNotFoundError(err) {
			return err.Error()
		}

		err = s.state.Update(ctx, found, expected...)

		return outcome(err, found.Metadata().Version(), found.Metadata().Owner())
	}}
}

func addFinalizer(r *rand.Rand) step {
	id, keeper := pick(r, ids), pick(r, keepers)

	return step{fmt.Sprintf("add finalizer %s to %s", keeper, id), func(ctx context.Context, s *scene) string {
		return outcome(s.state.AddFinalizer(ctx, newNote(s.namespace, id, "").md, keeper))
	}}
}

func removeFinalizer(r *rand.Rand) step {
	id, keeper := pick(r, ids), pick(r, keepers)

	return step{fmt.Sprintf("remove finalizer %s of %s", keeper, id), func(ctx context.Context, s *scene) string {
		return outcome(s.state.RemoveFinalizer(ctx, newNote(s.namespace, id, "").md, keeper))
	}}
}

func tearDown(r *rand.Rand) step {
	id, owner := pick(r, ids), pick(r, owners)

	return step{fmt.Sprintf("tear down %s as %q", id, owner), func(ctx context.Context, s *scene) string {
		ready, err := s.state.Teardown(ctx, newNote(s.namespace, id, "").md, state.WithTeardownOwner(owner))

		return outcome(err, ready)
	}}
}

func destroy(r *rand.Rand) step {
	id, owner := pick(r, ids), pick(r, owners)

	return step{fmt.Sprintf("destroy %s as %q", id, owner), func(ctx context.Context, s *scene) string {
		return outcome(s.state.Destroy(ctx, newNote(s.namespace, id, "").md, state.WithDestroyOwner(owner)))
	}}
}

// tearDownAndDestroy would wait for finalizers, and so leaves alone what has some.
func tearDownAndDestroy(r *rand.Rand) step {
	id, owner := pick(r, ids), pick(r, owners)

	return step{fmt.Sprintf("tear down and destroy %s as %q", id, owner), func(ctx context.Context, s *scene) string {
		pointer := newNote(s.namespace, id, "").md
		if found, err := s.state.Get(ctx, pointer); err == nil && !found.Metadata().Finalizers().Empty() {
			return "left alone"
		}

		return outcome(s.state.TeardownAndDestroy(ctx, pointer, state.WithTeardownAndDestroyOwner(owner)))
	}}
}

func modify(r *rand.Rand) step {
	id, owner, dressed := pick(r, ids), pick(r, owners), dress(r)

	return step{fmt.Sprintf("modify %s as %q", id, owner), func(ctx context.Context, s *scene) string {
		res, err := s.state.ModifyWithResult(ctx, newNote(s.namespace, id, ""), func(res resource.Resource) error {
			dressed(res)

			return nil
		}, state.WithUpdateOwner(owner))
		if err != nil {
			return outcome(err)
		}

		return outcome(nil, told(res))
	}}
}

func get(r *rand.Rand) step {
	id := pick(r, ids)

	return step{"get " + id, func(ctx context.Context, s *scene) string {
		res, err := s.state.Get(ctx, newNote(s.namespace, id, "").md)
		if err != nil {
			return outcome(err)
		}

		return outcome(nil, told(res))
	}}
}

func list(r *rand.Rand) step {
	query := pick(r, queries)

	return step{"list " + query.name, func(ctx context.Context, s *scene) string {
		options := []state.ListOption{}
		for _, labels := range query.labels {
			options = append(options, state.WithLabelQuery(labels...))
		}

		if query.id != nil {
			options = append(options, state.WithIDQuery(resource.IDRegexpMatch(query.id)))
		}

		found, err := s.state.List(ctx, newNote(s.namespace, "", "").md, options...)
		lines := make([]any, 0, len(found.Items))

		for _, item := range found.Items {
			lines = append(lines, told(item))
		}

		return outcome(err, lines...)
	}}
}

// query is what a list or a watch is restricted to, and the labels of a resource that passes.
type query struct {
	name   string
	labels [][]resource.LabelQueryOption
	id     *regexp.Regexp
	passes map[string]string
}

var queries = []query{
	{name: "all"},
	{name: "all"},
	{
		name:   "tier exists",
		labels: [][]resource.LabelQueryOption{{resource.LabelExists("tier")}},
		passes: map[string]string{"tier": "front"},
	},
	{
		name:   "tier is not front",
		labels: [][]resource.LabelQueryOption{{resource.LabelEqual("tier", "front", resource.NotMatches)}},
	},
	{
		name: "tier in front, back, or size under 1k",
		labels: [][]resource.LabelQueryOption{
			{resource.LabelIn("tier", []string{"front", "back"}), resource.LabelExists("size")},
			{resource.LabelLTNumeric("size", "1k")},
		},
		passes: map[string]string{"size": "2"},
	},
	{
		name:   "size not under 20",
		labels: [][]resource.LabelQueryOption{{resource.LabelLTNumeric("size", "20", resource.NotMatches)}},
		passes: map[string]string{"size": "3k"},
	},
	{
		name:   "size to 3000, tier not over back",
		labels: [][]resource.LabelQueryOption{{resource.LabelLTENumeric("size", "3000"), resource.LabelLTE("tier", "back")}},
		passes: map[string]string{"size": "3k", "tier": "back"},
	},
	{name: "id with b, or the end", id: regexp.MustCompile(`b|^end-\d+$`)},
	{
		name:   "id of one letter, with a tier, or the end",
		labels: [][]resource.LabelQueryOption{{resource.LabelExists("tier")}},
		id:     regexp.MustCompile(`^(\pL|end-.*)$`),
		passes: map[string]string{"tier": "back"},
	},
}
