// Loaded before every test file: type-graphql reads decorator metadata.
import "reflect-metadata";
