// Command hypershift answers how HyperShift reads image references, and which images its look-up of a release tries.
//
// It reads questions from standard input, one JSON object a line, and writes one answer a line, in the same order.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"github.com/openshift/hypershift/support/releaseinfo"
	"github.com/openshift/hypershift/support/thirdparty/library-go/pkg/image/reference"
	ctrl "sigs.k8s.io/controller-runtime"

	"mirrorguard/oracle/objects"
)

type question struct {
	// References are sources, mirrors and images, to be read.
	References []string `json:"references"`
	// Overrides are mirrors by source.
	Overrides map[string][]string `json:"overrides"`
	// Images are looked up as if each were a release.
	Images []string `json:"images"`
}

// answer is in the order of the question.
type answer struct {
	References []parsed   `json:"references"`
	Lookups    [][]string `json:"lookups"`
}

// parsed is one reference.
type parsed struct {
	Error     string `json:"error,omitempty"`
	Registry  string `json:"registry,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Tag       string `json:"tag,omitempty"`
	ID        string `json:"id,omitempty"`
	// Text is the reference as it is written again.
	Text string `json:"text,omitempty"`
}

func main() {
	ctrl.SetLogger(logr.Discard())
	if err := objects.AnswerAll(os.Stdin, os.Stdout, answerOne); err != nil {
		fmt.Fprintln(os.Stderr, "hypershift:", err)
		os.Exit(1)
	}
}

func answerOne(asked question) (answer, error) {
	given := answer{References: []parsed{}, Lookups: [][]string{}}
	for _, text := range asked.References {
		given.References = append(given.References, parse(text))
	}
	for _, image := range asked.Images {
		given.Lookups = append(given.Lookups, lookUp(image, asked.Overrides))
	}
	return given, nil
}

func parse(text string) parsed {
	read, err := reference.Parse(text)
	if err != nil {
		return parsed{Error: err.Error()}
	}
	return parsed{
		Registry:  read.Registry,
		Namespace: read.Namespace,
		Name:      read.Name,
		Tag:       read.Tag,
		ID:        read.ID,
		Text:      read.String(),
	}
}

// lookUp lists the images that are tried where none can be reached. The order of the sources is random, that of the
// mirrors of one source is not; the image itself is the last.
func lookUp(image string, overrides map[string][]string) []string {
	nothing := &unreachable{}
	decorator := releaseinfo.ProviderWithOpenShiftImageRegistryOverridesDecorator{
		Delegate:                        nothing,
		OpenShiftImageRegistryOverrides: overrides,
	}
	_, _ = decorator.Lookup(context.Background(), image, nil)
	return nothing.tried
}

// unreachable is a provider that finds nothing.
type unreachable struct {
	tried []string
}

var errUnreachable = errors.New("not reachable")

func (provider *unreachable) Lookup(_ context.Context, image string, _ []byte) (*releaseinfo.ReleaseImage, error) {
	provider.tried = append(provider.tried, image)
	return nil, errUnreachable
}

func (provider *unreachable) GetRegistryOverrides() map[string]string {
	return nil
}
