package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.mockito.Mockito.when;

import io.mapstream.testkit.MapStreamHarness;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.bean.override.mockito.MockitoBean;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

/** Tests the handler as Spring creates it, without the server. */
@SpringJUnitConfig(PriceOrders.class)
class PriceOrdersTest {

  @Autowired PriceOrders handler;
  @MockitoBean Prices prices;

  @Test
  void addsThePrice() throws Exception {
    when(prices.of("tea")).thenReturn("300");
    when(prices.of("rice")).thenReturn("400");

    try (var harness = MapStreamHarness.of(handler)) {
      assertEquals(List.of("tea=300", "rice=400"), harness.process("tea,rice").texts());
    }
  }
}
