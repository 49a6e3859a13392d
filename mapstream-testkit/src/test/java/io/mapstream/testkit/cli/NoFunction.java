package io.mapstream.testkit.cli;

/** A class that ends before it serves anything. */
final class NoFunction {

  private NoFunction() {}

  public static void main(String[] args) {
    System.exit(3);
  }
}
