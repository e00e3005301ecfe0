// Command node answers what the nodes of a cluster get from its mirror sets and its image configuration, what they then
// try for each pull, and whether policy.json rejects it. The libraries are those of the machine-config operator and of
// CRI-O. Which registries are blocked, and what policy.json says, is part of the question: the operator decides that,
// and ../machine-config-operator asks it.
//
// It reads clusters from standard input, one JSON object a line, and writes one answer a line, in the same order.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/BurntSushi/toml"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	"github.com/openshift/runtime-utils/pkg/registries"

	"mirrorguard/oracle/objects"
)

// question is a cluster and the images that are pulled in it.
type question struct {
	objects.Cluster
	// Blocked are the blocked registries that reach the nodes.
	Blocked []string `json:"blocked"`
	// Policy is what policy.json says; null if the operator writes no files.
	Policy *policy  `json:"policy"`
	Images []string `json:"images"`
}

// answer is what upstream makes of one cluster.
type answer struct {
	// Payload is null if no blocked registry covers it.
	Payload *lookup `json:"payload,omitempty"`
	// Error is why nothing is rendered; then nothing follows.
	Error string `json:"error,omitempty"`
	// RegistriesConf is the file of the nodes.
	RegistriesConf string `json:"registriesConf,omitempty"`
	// SearchRegistriesConf is the drop-in file with the search registries of the image configuration.
	SearchRegistriesConf string `json:"searchRegistriesConf,omitempty"`
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
	// Rejected are those of the images that it can be which policy.json rejects.
	Rejected []string `json:"rejected,omitempty"`
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
	files, err := newNode(folder)
	if err != nil {
		return err
	}
	return objects.AnswerAll(os.Stdin, os.Stdout, func(asked question) (answer, error) {
		return answerOne(asked, files)
	})
}

// answerOne renders a cluster into files and asks both libraries what they do with them.
func answerOne(asked question, files node) (answer, error) {
	payload, err := lookUpPayload(asked.Cluster, files)
	if err != nil {
		return answer{}, err
	}
	given := answer{Payload: payload}
	text, err := render(asked)
	if err != nil {
		given.Error = err.Error()
		return given, nil
	}
	search, err := encodeSearchRegistries(asked.SearchRegistries)
	if err != nil {
		return answer{}, err
	}
	given.RegistriesConf, given.SearchRegistriesConf = string(text), string(search)
	if err := files.write(text, search); err != nil {
		return answer{}, err
	}
	if err := readByContainers(files); err != nil {
		given.Unreadable = cause(err)
		return given, nil
	}
	if err := readBySuccessor(files); err != nil {
		given.Unreadable = "go.podman.io/image: " + cause(err)
		return given, nil
	}
	rejects, err := asked.Policy.evaluator()
	if err != nil {
		return answer{}, err
	}
	var successor []pull
	for _, image := range asked.Images {
		given.Pulls = append(given.Pulls, pullByContainers(files, image, rejects))
		successor = append(successor, pullBySuccessor(files, image))
	}
	if !sameAttempts(given.Pulls, successor) {
		given.Successor = successor
	}
	return given, nil
}

// sameAttempts compares all but what policy.json rejects, which the successor is not asked for.
func sameAttempts(pulls, successor []pull) bool {
	for at, pull := range pulls {
		pull.Rejected = nil
		if !reflect.DeepEqual(pull, successor[at]) {
			return false
		}
	}
	return true
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
func render(asked question) ([]byte, error) {
	sets := asked.ByKind()
	file := sysregistriesv2.V2RegistriesConf{UnqualifiedSearchRegistries: searchRegistries}
	err := registries.EditRegistriesConfig(&file, asked.InsecureRegistries, asked.Blocked, sets.ICSP, sets.IDMS, sets.ITMS)
	if err != nil {
		return nil, err
	}
	return encode(file)
}

// encodeSearchRegistries makes the drop-in file; nil if there are none.
func encodeSearchRegistries(searched []string) ([]byte, error) {
	if searched == nil {
		return nil, nil
	}
	return encode(sysregistriesv2.V2RegistriesConf{UnqualifiedSearchRegistries: searched})
}

func encode(file sysregistriesv2.V2RegistriesConf) ([]byte, error) {
	var text bytes.Buffer
	err := toml.NewEncoder(&text).Encode(file)
	return text.Bytes(), err
}
