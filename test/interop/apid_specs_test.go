package interop

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"go.yaml.in/yaml/v4"

	// kinds of Talos that a node may serve register themselves
	_ "github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/config"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/files"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	_ "github.com/siderolabs/talos/pkg/machinery/resources/time"
)

// Every resource is served twice, as protobuf and as YAML. Of kinds that Talos has, the machinery decodes
// the first and writes the second from it: that must be the YAML that was served.
func TestApidSpecsOfTalosKinds(t *testing.T) {
	c, ctx := connect(t)

	definitions, err := safe.StateListAll[*meta.ResourceDefinition](ctx, c.COSI)
	if err != nil {
		t.Fatal(err)
	}

	for rd := range definitions.All() {
		spec := rd.TypedSpec()

		t.Run(spec.Type, func(t *testing.T) {
			kind := resource.NewMetadata(spec.DefaultNamespace, spec.Type, "", resource.VersionUndefined)

			decoded, err := c.COSI.List(ctx, kind)
			if err != nil {
				t.Fatal(err)
			}

			served, err := c.COSI.List(ctx, kind, state.WithListUnmarshalOptions(state.WithSkipProtobufUnmarshal()))
			if err != nil {
				t.Fatal(err)
			}

			for i, item := range decoded.Items {
				if _, raw := item.(*protobuf.Resource); raw {
					return // not a kind of Talos: nothing to hold it against
				}

				sameSpec(t, item, served.Items[i], spec.Sensitivity == meta.Sensitive)
			}
		})
	}
}

func sameSpec(t *testing.T, decoded, served resource.Resource, secret bool) {
	t.Helper()

	// what is only in the served one is of a newer Talos than the machinery, or an addition of ours
	got, want := fields(t, served), fields(t, decoded)

	for _, name := range slices.Sorted(maps.Keys(want)) {
		if reflect.DeepEqual(got[name], want[name]) || sameURL(got[name], want[name]) {
			continue
		}

		values := ""
		if !secret {
			values = fmt.Sprintf(": %#v, Talos writes for the proto_spec %#v", got[name], want[name])
		}

		t.Errorf("%s: yaml_spec: %s%s", decoded.Metadata().ID(), name, values)
	}
}

// A URL is text in our YAML, where Talos shows the fields of Go's url.URL.
func sameURL(got, want any) bool {
	text, isText := got.(string)
	parts, isURL := want.(map[string]any)

	return isText && isURL && parts["scheme"] != nil && text == fmt.Sprintf("%v://%v%v", parts["scheme"], parts["host"], parts["path"])
}

func fields(t *testing.T, r resource.Resource) map[string]any {
	t.Helper()

	text, err := yaml.Marshal(r.Spec())
	if err != nil {
		t.Fatalf("%s: %v", r.Metadata().ID(), err)
	}

	var spec any
	if err := yaml.Unmarshal(text, &spec); err != nil {
		t.Fatalf("%s: %v", r.Metadata().ID(), err)
	}

	if named, ok := spec.(map[string]any); ok {
		return named
	}

	return map[string]any{"(the spec)": spec}
}
