package main

import (
	"encoding/json"
	"fmt"
)

// policyTemplate is what the operator starts from.
const policyTemplate = `{
	"default": [{"type": "insecureAcceptAnything"}],
	"transports": {"docker-daemon": {"": [{"type": "insecureAcceptAnything"}]}}
}`

// policy is what policy.json says about images of registries.
type policy struct {
	// RejectsOthers is whether images of no scope are rejected.
	RejectsOthers bool `json:"rejectsOthers"`
	// Scopes are accepted or not.
	Scopes map[string]bool `json:"scopes"`
}

type requirement struct {
	Type string `json:"type"`
}

// readPolicy reads policy.json; an error if it has more than a model of it can say.
func readPolicy(text []byte) (*policy, error) {
	var file struct {
		Default    []requirement                       `json:"default"`
		Transports map[string]map[string][]requirement `json:"transports"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	accepts, err := acceptsAll(file.Default)
	read := &policy{RejectsOthers: !accepts, Scopes: map[string]bool{}}
	for scope, requirements := range file.Transports["docker"] {
		if err != nil {
			break
		}
		read.Scopes[scope], err = acceptsAll(requirements)
	}
	return read, err
}

func acceptsAll(requirements []requirement) (bool, error) {
	if len(requirements) == 1 {
		switch requirements[0].Type {
		case "insecureAcceptAnything":
			return true, nil
		case "reject":
			return false, nil
		}
	}
	return false, fmt.Errorf("policy.json has the requirements %v", requirements)
}
