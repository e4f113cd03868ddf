package interop

import (
	"os"
	"path/filepath"
	"testing"
)

// artifacts reads what run.ts has made. Nothing made is a reason to skip, something missing is a failure.
func artifacts(t *testing.T) (made *manifest, directory string) {
	t.Helper()

	directory = os.Getenv("TRUSTPLANE_ARTIFACTS")
	if directory == "" {
		t.Skip("TRUSTPLANE_ARTIFACTS is not set: `npm run test:interop` makes what is examined here")
	}

	made, err := readManifest(directory)
	if err != nil {
		t.Fatal(err)
	}

	return made, directory
}

// onlyOurs skips what talosctl's own files have nothing to say about.
func onlyOurs(t *testing.T, made *manifest, there bool, what string) {
	t.Helper()

	switch {
	case there:
	case made.Fixtures:
		t.Skipf("--fixtures: run.ts made no %s", what)
	default:
		t.Fatalf("the manifest has no %s", what)
	}
}

func mustRead(t *testing.T, path ...string) []byte {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}

	return text
}
