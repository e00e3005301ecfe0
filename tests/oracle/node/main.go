// Command node answers what the nodes of a cluster get from its mirror sets and its image configuration, and what they
// then try for each pull. The libraries are those of the machine-config operator and of CRI-O.
//
// It reads clusters from standard input, one JSON object a line, and writes one answer a line, in the same order.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/BurntSushi/toml"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	"github.com/openshift/runtime-utils/pkg/registries"

	"mirrorguard/oracle/objects"
)

// question is a cluster and the images that are pulled in it.
type question struct {
	objects.Cluster
	Images []string `json:"images"`
}

// answer is what upstream makes of one cluster.
type answer struct {
	// Error is why nothing is rendered; then there is nothing else.
	Error string `json:"error,omitempty"`
	// RegistriesConf is the file of the nodes.
	RegistriesConf string `json:"registriesConf,omitempty"`
	// Unreadable is why containers/image rejects the whole file; then there are no pulls.
	Unreadable string `json:"unreadable,omitempty"`
	// Pulls are what containers/image does, in the order of the images.
	Pulls []pull `json:"pulls,omitempty"`
	// Successor is what go.podman.io/image does, if it differs.
	Successor []pull `json:"successor,omitempty"`
}

// pull is what happens to one image.
type pull struct {
	Image string `json:"image"`
	// Short is whether the image names no registry, so that the search registries are tried.
	Short bool `json:"short,omitempty"`
	// Error is why the image or one of its mirrors cannot be read; then nothing is tried.
	Error string `json:"error,omitempty"`
	// Attempts are in the order in which they are made; the last one is the image itself, or of a short name, the last
	// one for each of the search registries.
	Attempts []attempt `json:"attempts,omitempty"`
}

// attempt is one reference that is tried.
type attempt struct {
	Reference string `json:"reference"`
	// Insecure is whether it is reached without TLS verification.
	Insecure bool `json:"insecure,omitempty"`
	// Blocked is whether it fails at once.
	Blocked bool `json:"blocked,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "registries.conf")
	return objects.AnswerAll(os.Stdin, os.Stdout, func(asked question) (answer, error) {
		return answerOne(asked, file)
	})
}

// answerOne renders a cluster into a file and asks both libraries what they do with it.
func answerOne(asked question, file string) (answer, error) {
	text, err := render(asked.Cluster)
	if err != nil {
		return answer{Error: err.Error()}, nil
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return answer{}, err
	}
	given := answer{RegistriesConf: string(text)}
	if err := readByContainers(file); err != nil {
		given.Unreadable = cause(err)
		return given, nil
	}
	if err := readBySuccessor(file); err != nil {
		given.Unreadable = "go.podman.io/image: " + cause(err)
		return given, nil
	}
	var successor []pull
	for _, image := range asked.Images {
		given.Pulls = append(given.Pulls, pullByContainers(file, image))
		successor = append(successor, pullBySuccessor(file, image))
	}
	if !reflect.DeepEqual(given.Pulls, successor) {
		given.Successor = successor
	}
	return given, nil
}

// cause is the innermost error: those around it name the temporary file.
func cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// searchRegistries are in the template of every pool that the machine-config operator starts from.
var searchRegistries = []string{"registry.access.redhat.com", "docker.io"}

// render makes the file of the nodes.
func render(asked objects.Cluster) ([]byte, error) {
	sets := asked.ByKind()
	file := sysregistriesv2.V2RegistriesConf{UnqualifiedSearchRegistries: searchRegistries}
	err := registries.EditRegistriesConfig(&file, asked.InsecureRegistries, asked.BlockedRegistries, sets.ICSP, sets.IDMS, sets.ITMS)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = toml.NewEncoder(&text).Encode(file)
	return text.Bytes(), err
}
