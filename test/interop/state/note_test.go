package state

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
)

const noteType = resource.Type("Notes.interop.trustplane.dev")

func init() {
	if err := protobuf.RegisterResource(noteType, &note{}); err != nil {
		panic(err)
	}
}

// note is a resource with a spec that our server knows nothing of.
type note struct {
	md   resource.Metadata
	spec noteSpec
}

type noteSpec struct {
	Text string `yaml:"text"`
}

// MarshalProto implements protobuf.ProtoMarshaler.
func (s noteSpec) MarshalProto() ([]byte, error) {
	return []byte(s.Text), nil
}

func newNote(namespace, id, text string) *note {
	return &note{
		md:   resource.NewMetadata(namespace, noteType, id, resource.VersionUndefined),
		spec: noteSpec{text},
	}
}

// Metadata implements resource.Resource.
func (n *note) Metadata() *resource.Metadata { return &n.md }

// Spec implements resource.Resource.
func (n *note) Spec() any { return n.spec }

// DeepCopy implements resource.Resource.
func (n *note) DeepCopy() resource.Resource {
	return &note{n.md.Copy(), n.spec}
}

// UnmarshalProto implements protobuf.ResourceUnmarshaler.
func (n *note) UnmarshalProto(md *resource.Metadata, spec []byte) error {
	n.md = *md
	n.spec.Text = string(spec)

	return nil
}

// told is all of a resource that two servers have to agree on: all but the times.
func told(r resource.Resource) string {
	if r == nil {
		return "nothing"
	}

	md := r.Metadata()
	text := "-"

	if n, ok := r.(*note); ok {
		text = n.spec.Text
	} else if !resource.IsTombstone(r) {
		text = fmt.Sprintf("%T", r)
	}

	return fmt.Sprintf("%s@%s %s owner=%q fins=%v labels=%v notes=%v text=%q", md.ID(), md.Version(), md.Phase(),
		md.Owner(), []string(*md.Finalizers()), pairs(md.Labels().Raw()), pairs(md.Annotations().Raw()), text)
}

// pairs lists a map in the order of its keys.
func pairs(of map[string]string) string {
	all := make([]string, 0, len(of))
	for key, value := range of {
		all = append(all, key+"="+value)
	}

	slices.Sort(all)

	return strings.Join(all, ",")
}
