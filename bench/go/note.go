package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	"github.com/cosi-project/runtime/pkg/resource/typed"
	"google.golang.org/protobuf/encoding/protowire"
)

// The specs are those of bench/ours/note.ts: 600 bytes as a protobuf message, all strings distinct.
const (
	noteType  = resource.Type("Notes.bench.trustplane.dev")
	copyType  = resource.Type("Copies.bench.trustplane.dev")
	namespace = resource.Namespace("bench")
	warmup    = resource.Namespace("warmup")

	specBytes     = 600
	bodyBytes     = 456
	firstRevision = 1000
)

// NoteSpec is what both kinds hold.
type NoteSpec struct {
	Subject  string   `yaml:"subject"`
	Names    []string `yaml:"names"`
	Body     string   `yaml:"body"`
	Revision int64    `yaml:"revision"`
}

// DeepCopy shares the strings, which cannot change.
func (spec NoteSpec) DeepCopy() NoteSpec {
	spec.Names = slices.Clone(spec.Names)

	return spec
}

// MarshalProto is written by hand, so that Go does not pay for reflection.
func (spec NoteSpec) MarshalProto() ([]byte, error) {
	buf := make([]byte, 0, specBytes)
	buf = protowire.AppendTag(buf, 1, protowire.BytesType)
	buf = protowire.AppendString(buf, spec.Subject)
	buf = protowire.AppendTag(buf, 2, protowire.VarintType)
	buf = protowire.AppendVarint(buf, uint64(spec.Revision))

	for _, name := range spec.Names {
		buf = protowire.AppendTag(buf, 3, protowire.BytesType)
		buf = protowire.AppendString(buf, name)
	}

	buf = protowire.AppendTag(buf, 4, protowire.BytesType)

	return protowire.AppendString(buf, spec.Body), nil
}

var errMalformed = errors.New("malformed note")

// UnmarshalProto reads what MarshalProto wrote.
func (spec *NoteSpec) UnmarshalProto(buf []byte) error {
	*spec = NoteSpec{Names: make([]string, 0, 4)}

	for len(buf) > 0 {
		number, kind, n := protowire.ConsumeTag(buf)
		if n < 0 {
			return errMalformed
		}

		buf = buf[n:]

		var text string

		switch kind {
		case protowire.VarintType:
			var value uint64

			value, n = protowire.ConsumeVarint(buf)
			spec.Revision = int64(value)
		case protowire.BytesType:
			text, n = protowire.ConsumeString(buf)
		default:
			return errMalformed
		}

		if n < 0 {
			return errMalformed
		}

		buf = buf[n:]

		switch number {
		case 1:
			spec.Subject = text
		case 3:
			spec.Names = append(spec.Names, text)
		case 4:
			spec.Body = text
		}
	}

	return nil
}

// Note is the input of every workload.
type Note = typed.Resource[NoteSpec, noteExtension]

type noteExtension struct{}

func (noteExtension) ResourceDefinition() meta.ResourceDefinitionSpec {
	return meta.ResourceDefinitionSpec{Type: noteType, DefaultNamespace: namespace}
}

// Copy is what the controller makes of a note.
type Copy = typed.Resource[NoteSpec, copyExtension]

type copyExtension struct{}

func (copyExtension) ResourceDefinition() meta.ResourceDefinitionSpec {
	return meta.ResourceDefinitionSpec{Type: copyType, DefaultNamespace: namespace}
}

func newNote(ns resource.Namespace, id resource.ID, spec NoteSpec) *Note {
	return typed.NewResource[NoteSpec, noteExtension](resource.NewMetadata(ns, noteType, id, resource.VersionUndefined), spec)
}

func newCopy(id resource.ID) *Copy {
	return typed.NewResource[NoteSpec, copyExtension](
		resource.NewMetadata(namespace, copyType, id, resource.VersionUndefined), NoteSpec{})
}

func noteID(i int) resource.ID { return fmt.Sprintf("note-%06d", i) }

func noteSpec(i int) NoteSpec {
	names := make([]string, 4)
	for n := range names {
		names[n] = fmt.Sprintf("n%d.node-%06d.example.org", n, i)
	}

	number := fmt.Sprintf("%06d", i)

	return NoteSpec{
		Subject:  "CN=node-" + number + ",O=example",
		Names:    names,
		Body:     number + strings.Repeat("b", bodyBytes-len(number)),
		Revision: firstRevision,
	}
}

func noteSpecs(count int) []NoteSpec {
	specs := make([]NoteSpec, count)
	for i := range specs {
		specs[i] = noteSpec(i)
	}

	return specs
}

// registerNotes is for who decodes notes; a bare server stores them as they come.
func registerNotes() error {
	if encoded, err := noteSpec(0).MarshalProto(); err != nil || len(encoded) != specBytes {
		return fmt.Errorf("a spec has %d bytes: %w", len(encoded), err)
	}

	if err := protobuf.RegisterResource(noteType, &Note{}); err != nil {
		return err
	}

	return protobuf.RegisterResource(copyType, &Copy{})
}
